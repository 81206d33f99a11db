-- The first call of each connection. A Redis process that is new to us may have lost what was written
-- last: its numbers go on far above those, so that they can be told apart.
-- Returns {number, epoch, last number before the jump, number after it}, both 0 without one.
local LEFT_OUT = 10000000
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
local epoch, number = current()
if redis.call('HGET', META, 'run') ~= run then
  local resumed = number + LEFT_OUT
  if redis.call('HEXISTS', META, 'run') == 1 then
    redis.call('HSET', META, 'number', text(resumed), 'kept', text(number), 'resumed', text(resumed))
    number = resumed
  end
  redis.call('HSET', META, 'run', run)
  epoch, number = current()
end
local found = redis.call('HMGET', META, 'kept', 'resumed')
return {text(number), epoch, found[1] or '0', found[2] or '0'}
