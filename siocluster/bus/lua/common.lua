-- What every script begins with. KEYS[1] is the root of all names; ARGV[1..3] are the caller's epoch,
-- the highest number it knows, and an epoch to use if a new one is needed.
-- The Python side puts before this: EVENTS, SECONDS, BYTES, SID_EVENTS, PATIENCE and LEASE (seconds).
local ROOT = KEYS[1]
local META = ROOT .. 'meta'
local META_SECONDS = 400 * 86400
local SESSION_SECONDS = 2 * 3600 + SECONDS
local PEOPLE_SECONDS = 7 * 86400

local clock = redis.call('TIME')
local NOW = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)

-- tostring() would round what has more than 14 digits.
local function text(number)
  return string.format('%.0f', number)
end

-- Epoch and number. A Redis that has lost them, or has fallen back behind what a worker has seen, gets
-- a new epoch: positions of the old one mean nothing any more. Numbers go on from the clock, so that
-- they are above whatever a log may still hold. `greet` leaves out numbers after a restart: a worker
-- that has seen one of those saw what this Redis does not have.
local function current()
  local found = redis.call('HMGET', META, 'epoch', 'number', 'kept', 'resumed')
  local epoch, number = found[1], tonumber(found[2] or 0)
  local floor = tonumber(ARGV[2])
  local fell_back = number < floor
    or floor > tonumber(found[3] or 0) and floor < tonumber(found[4] or 0)
  if epoch and not (epoch == ARGV[1] and fell_back) then
    return epoch, number
  end
  number = math.max(floor, number, NOW)
  redis.call('HSET', META, 'epoch', ARGV[3], 'number', text(number))
  redis.call('HDEL', META, 'kept', 'resumed')
  redis.call('EXPIRE', META, META_SECONDS)
  return ARGV[3], number
end

-- How long a log outlives its last event: a client may be cut off for as long as its pings are waited
-- for before anyone notices, and then be away for SECONDS. What is not there is older than that.
local function log_seconds(seconds)
  return 2 * seconds + PATIENCE
end

local function log_of(address)
  return ROOT .. 'log:' .. address
end

-- Number of the newest entry, 0 without one, and the bytes ever written up to it.
local function newest(log)
  local last = redis.call('XREVRANGE', log, '+', '-', 'COUNT', 1)[1]
  if not last then
    return '0', 0
  end
  return string.match(last[1], '^%d+'), tonumber(last[2][4])
end

-- The same where a key of another type must stop nobody but who writes to that log: -1 then.
local function newest_number(log)
  local is_log, number = pcall(newest, log)
  return is_log and number or '-1'
end

-- A session is written to only by the life that owns it.
local function owns(session, generation)
  return redis.call('HGET', session, 'generation') == generation
end
