-- Write fields of a session. ARGV 4 pid, 5 generation, 6… field, value; an empty value deletes.
-- Returns '1', or '0' when a later life owns it.
local session = ROOT .. 'session:' .. ARGV[4]
if not owns(session, ARGV[5]) then
  return '0'
end
for index = 6, #ARGV, 2 do
  if ARGV[index + 1] == '' then
    redis.call('HDEL', session, ARGV[index])
  else
    redis.call('HSET', session, ARGV[index], ARGV[index + 1])
  end
end
return '1'
