-- A client comes back. ARGV 4 pid, 5 namespace, 6 place, 7 boot. Takes the session over for a new life:
-- whatever the older one still writes is refused from here on.
-- Returns {'0', why} or {'1', number, epoch, older boot, '1' if the older life may still be open there,
-- last number before a restart of Redis, first one after, fields and values of the session…}.
local session = ROOT .. 'session:' .. ARGV[4]
local epoch, number = current()
local found = redis.call('HMGET', session, 'sid', 'namespace', 'boot', 'epoch', 'closed')
local sid, boot, closed = found[1], found[3], tonumber(found[5] or 0)
if not sid or found[2] ~= ARGV[5] then
  return {'0', 'unknown'}
end
if found[4] ~= epoch then
  return {'0', 'epoch'}
end
-- An open session lives as long as its worker was last heard of.
local beat = tonumber(redis.call('ZSCORE', ROOT .. 'workers', boot)
  or redis.call('ZSCORE', ROOT .. 'dead', boot) or 0)
local alive = closed == 0 and NOW - beat <= LEASE * 1000
local last = closed > 0 and closed or beat
if not alive and NOW - last > SECONDS * 1000 then
  return {'0', 'expired'}
end
local generation = redis.call('HINCRBY', session, 'generation', 1)
redis.call('HSET', session, 'place', ARGV[6], 'boot', ARGV[7])
redis.call('HDEL', session, 'closed')
redis.call('EXPIRE', session, SESSION_SECONDS)
redis.call('SET', ROOT .. 'home:' .. sid, ARGV[6], 'EX', SESSION_SECONDS)
local left_out = redis.call('HMGET', META, 'kept', 'resumed')
local reply = {'1', text(number), epoch, boot, alive and '1' or '0', left_out[1] or '0',
  left_out[2] or '0'}
for _, value in ipairs(redis.call('HGETALL', session)) do
  reply[#reply + 1] = value
end
return reply
