-- A person is no longer in a room by this worker. ARGV 4 boot, 5… address, person's id.
-- Returns for each the data if it was there by no other worker, else ''.
local held = ROOT .. 'roster:' .. ARGV[4]
local reply = {}
for index = 5, #ARGV, 2 do
  local who, person = ROOT .. 'people:' .. ARGV[index], ARGV[index + 1]
  local told = ''
  if redis.call('SREM', held, cjson.encode({ARGV[index], person})) == 1 then
    if redis.call('HINCRBY', who, 'n ' .. person, -1) <= 0 then
      told = redis.call('HGET', who, 'd ' .. person) or ''
      redis.call('HDEL', who, 'n ' .. person, 'd ' .. person)
    end
  end
  reply[#reply + 1] = told
end
return reply
