-- A person is in a room, by a client of this worker. ARGV 4 room's address, 5 boot, 6 person's id,
-- 7 data as JSON. Returns '1' if it was not there by another worker.
local who, held = ROOT .. 'people:' .. ARGV[4], ROOT .. 'roster:' .. ARGV[5]
local entry = cjson.encode({ARGV[4], ARGV[6]})
local workers = tonumber(redis.call('HGET', who, 'n ' .. ARGV[6]) or 0)
if redis.call('SADD', held, entry) == 1 then
  workers = redis.call('HINCRBY', who, 'n ' .. ARGV[6], 1)
else
  workers = 2
end
redis.call('HSET', who, 'd ' .. ARGV[6], ARGV[7])
redis.call('EXPIRE', who, PEOPLE_SECONDS)
redis.call('EXPIRE', held, PEOPLE_SECONDS)
return workers == 1 and '1' or '0'
