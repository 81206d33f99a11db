-- For positions that a client kept by itself. Returns {number, epoch, last number before a restart of
-- Redis, first one after it, number from which on a log that is not there was empty}.
local epoch, number = current()
local left_out = redis.call('HMGET', META, 'kept', 'resumed')
local times = ROOT .. 'times'
local old = redis.call('ZREVRANGEBYSCORE', times, NOW - 2 * SECONDS * 1000, '-inf', 'LIMIT', 0, 1)
return {text(number), epoch, left_out[1] or '0', left_out[2] or '0', old[1] or '0'}
