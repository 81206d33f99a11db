-- A client connects to a namespace. ARGV 4 namespace's address, 5 pid or '', 6 sid, 7 namespace,
-- 8 place, 9 boot. Returns {number, epoch, newest number of the namespace's log}.
local epoch, number = current()
if ARGV[5] ~= '' then
  local session = ROOT .. 'session:' .. ARGV[5]
  redis.call('HSET', session, 'sid', ARGV[6], 'namespace', ARGV[7], 'place', ARGV[8],
    'boot', ARGV[9], 'generation', '1', 'epoch', epoch, 'start', text(number))
  redis.call('EXPIRE', session, SESSION_SECONDS)
end
return {text(number), epoch, newest_number(log_of(ARGV[4]))}
