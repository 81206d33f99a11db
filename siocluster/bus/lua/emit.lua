-- Number an emit, append it to the log of each addressee, publish it. All or nothing.
-- ARGV 4 boot, 5 sequence, 6 place of the caller, 7 leader's token or '', 8 message id or '',
-- 9 '1' if stored, 10 head, 11 body, 12… targets.
-- Returns {number, epoch, previous, 'new' | 'known' (this sequence) | 'same' (this message id)}, or an
-- error FENCED, WRONGTYPE, OOM.
local WINDOW = 4096  -- more than a worker ever has in flight
local boot, sequence = ROOT .. 'boot:' .. ARGV[4], tonumber(ARGV[5])
local seen = redis.call('HMGET', boot, 'sequence', text(sequence % WINDOW))
if sequence <= tonumber(seen[1] or 0) and seen[2] then
  local number, epoch, previous = string.match(seen[2], '^(%S+) (%S+) (%S+)$')
  return {number, epoch, previous, 'known'}
end
if ARGV[7] ~= '' and redis.call('HGET', META, 'token') ~= ARGV[7] then
  return redis.error_reply('FENCED another worker leads since')
end
local identity = ARGV[8] ~= '' and ROOT .. 'said:' .. ARGV[8]
local said = identity and redis.call('GET', identity)
if said then
  local number, epoch = string.match(said, '^(%S+) (%S+)$')
  return {number, epoch, '-', 'same'}
end

-- Reads come before all writes: a log of another type must leave nothing half done.
local stored, size = ARGV[9] == '1', #ARGV[11]

local function limits(address)
  if string.sub(address, 1, 2) == 's:' then
    return SID_EVENTS, SECONDS, BYTES
  end
  local kept = redis.call('HMGET', ROOT .. 'keep:' .. address, 'events', 'seconds', 'bytes')
  return tonumber(kept[1] or EVENTS), tonumber(kept[2] or SECONDS), tonumber(kept[3] or BYTES)
end

local entries = {}
for index = 12, stored and #ARGV or 0 do
  local entry = {log = log_of(ARGV[index])}
  entry.events, entry.seconds, entry.most = limits(ARGV[index])
  entry.previous, entry.bytes = newest(entry.log)
  entry.bytes = entry.bytes + size
  entries[#entries + 1] = entry
end

-- A sid lives at the place that its prefix names, unless it was recovered elsewhere.
local function place_of(sid)
  return redis.call('GET', ROOT .. 'home:' .. sid) or string.match(sid, '^([a-z0-9]*)%-')
end

local chains = {}
for index = 12, #ARGV do
  local sid = string.match(ARGV[index], '^s:(.*)$')
  local place = sid and place_of(sid)
  if place and place ~= ARGV[6] then
    chains[place] = redis.call('GET', ROOT .. 'chain:' .. place) or '0'
  end
end

-- Remove what is too old or too much from the front; the newest entry stays, it tells the next its
-- previous number.
local function trim(entry)
  local oldest = NOW - entry.seconds * 1000
  local count = 2
  while true do
    local cut
    local first = redis.call('XRANGE', entry.log, '-', '+', 'COUNT', count)
    for index = 1, #first - 1 do
      local written = tonumber(string.match(first[index][1], '%d+$'))
      if written >= oldest and entry.bytes - tonumber(first[index][2][4]) <= entry.most then
        break
      end
      cut = first[index + 1][1]
    end
    if not cut then
      return
    end
    redis.call('XTRIM', entry.log, 'MINID', cut)
    count = 33
  end
end

local epoch = current()
local number = text(redis.call('HINCRBY', META, 'number', 1))
local previous = {}
for index, entry in ipairs(entries) do
  previous[index] = entry.previous
  redis.call('XADD', entry.log, 'MAXLEN', entry.events, number .. '-' .. text(NOW),
    'p', entry.previous, 's', text(entry.bytes), 'm', ARGV[10] .. '\n' .. ARGV[11])
  trim(entry)
  redis.call('EXPIRE', entry.log, log_seconds(entry.seconds))
end
local before = stored and table.concat(previous, ',') or '-'
redis.call('HSET', boot, 'sequence', text(sequence),
  text(sequence % WINDOW), number .. ' ' .. epoch .. ' ' .. before)
redis.call('EXPIRE', boot, 3600)
if identity then
  redis.call('SET', identity, number .. ' ' .. epoch, 'EX', 86400)
end

local message = '\n' .. ARGV[10] .. '\n' .. ARGV[11]
local line = number .. ' ' .. epoch .. ' ' .. before .. ' '
for index = 12, #ARGV do
  if string.sub(ARGV[index], 1, 2) ~= 's:' then
    redis.call('PUBLISH', ROOT .. 'channel:' .. ARGV[index], line .. '-' .. message)
  end
end
for place, last in pairs(chains) do
  redis.call('SET', ROOT .. 'chain:' .. place, number, 'EX', log_seconds(SECONDS))
  redis.call('PUBLISH', ROOT .. 'place:' .. place, line .. last .. message)
end
return {number, epoch, before, 'new'}
