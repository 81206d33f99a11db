-- A dead worker's people have been announced; remember when it was last alive. ARGV 4 boot.
local workers, dead = ROOT .. 'workers', ROOT .. 'dead'
local beat = redis.call('ZSCORE', workers, ARGV[4])
if beat and NOW - tonumber(beat) > LEASE * 1000 then
  redis.call('ZREM', workers, ARGV[4])
  redis.call('ZADD', dead, beat, ARGV[4])
  redis.call('ZREMRANGEBYSCORE', dead, '-inf', NOW - SECONDS * 1000)
  redis.call('EXPIRE', dead, 2 * SECONDS)
end
return '1'
