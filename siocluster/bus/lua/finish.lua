-- A client has gone. ARGV 4 pid, 5 generation, 6 '1' if it may come back. Returns '1', or '0' when a
-- later life owns the session.
local session = ROOT .. 'session:' .. ARGV[4]
if not owns(session, ARGV[5]) then
  return '0'
end
if ARGV[6] == '1' then
  redis.call('HSET', session, 'closed', text(NOW))
  redis.call('EXPIRE', session, SECONDS + LEASE)
else
  redis.call('DEL', ROOT .. 'home:' .. redis.call('HGET', session, 'sid'), session)
end
return '1'
