-- Keep more of a room than recovery needs. ARGV 4 room's address, 5 events, 6 seconds, 7 bytes,
-- 8 how many rooms may be kept at most: the one asked for longest ago falls back.
local kept, policy = ROOT .. 'kept', ROOT .. 'keep:' .. ARGV[4]
redis.call('HSET', policy, 'events', ARGV[5], 'seconds', ARGV[6], 'bytes', ARGV[7])
redis.call('EXPIRE', policy, log_seconds(tonumber(ARGV[6])))
redis.call('ZADD', kept, NOW, ARGV[4])
redis.call('EXPIRE', kept, META_SECONDS)
local over = redis.call('ZCARD', kept) - tonumber(ARGV[8])
if over > 0 then
  for index, address in ipairs(redis.call('ZPOPMIN', kept, over)) do
    if index % 2 == 1 then
      redis.call('DEL', ROOT .. 'keep:' .. address)
      redis.call('EXPIRE', log_of(address), log_seconds(SECONDS))
    end
  end
end
return '1'
