-- A worker's sign of life: renews its lease and asks to lead. ARGV 4 boot, 5 '1' to lead, '' not to.
-- Publishes the number on the worker's own channel: when that arrives, all before it has arrived.
-- Returns {number, epoch, token when leading or '', '1' if it had been given up for dead, dead boots…}.
local epoch, number = current()
local workers = ROOT .. 'workers'
local lost = redis.call('ZSCORE', workers, ARGV[4]) and '0' or '1'
redis.call('ZADD', workers, NOW, ARGV[4])
redis.call('ZREM', ROOT .. 'dead', ARGV[4])
redis.call('EXPIRE', workers, 86400)
redis.call('EXPIRE', META, META_SECONDS)

local leader, token = ROOT .. 'leader', ''
local holder = redis.call('GET', leader)
if ARGV[5] == '1' and (not holder or holder == ARGV[4]) then
  if not holder then
    -- Above any earlier token, also after Redis has lost data.
    local last = tonumber(redis.call('HGET', META, 'token') or 0)
    redis.call('HSET', META, 'token', text(math.max(last + 1, NOW)))
  end
  redis.call('SET', leader, ARGV[4], 'PX', LEASE * 1000)
  token = redis.call('HGET', META, 'token') or ''
elseif ARGV[5] == '' and holder == ARGV[4] then
  redis.call('DEL', leader)
end
redis.call('PUBLISH', ROOT .. 'worker:' .. ARGV[4], 'beat ' .. text(number) .. ' ' .. epoch)
local reply = {text(number), epoch, token, lost}
if token ~= '' then
  -- Which number was when, for as long as a log is kept: see vouch.lua.
  local times = ROOT .. 'times'
  redis.call('ZADD', times, NOW, text(number))
  local kept = redis.call('ZRANGEBYSCORE', times, '-inf', NOW - 2 * SECONDS * 1000)
  if #kept > 1 then
    redis.call('ZREMRANGEBYRANK', times, 0, #kept - 2)
  end
  redis.call('EXPIRE', times, META_SECONDS)
  for _, boot in ipairs(redis.call('ZRANGEBYSCORE', workers, '-inf', NOW - LEASE * 1000)) do
    reply[#reply + 1] = boot
  end
end
return reply
