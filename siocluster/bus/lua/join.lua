-- A client joins a room. ARGV 4 room's address, 5 pid or '', 6 generation, 7 number from which on it
-- is a member, or '' for now, 8 the room as JSON where the address does not spell it, or ''. Returns {number, epoch, newest number of the room's log, '1' | '0' if the
-- session belongs to a later life}.
local epoch, number = current()
local since = ARGV[7] ~= '' and ARGV[7] or text(number)
local owned = '1'
if ARGV[5] ~= '' then
  local session = ROOT .. 'session:' .. ARGV[5]
  if owns(session, ARGV[6]) then
    local field = 'room ' .. ARGV[4]
    local stays = redis.call('HGET', session, field) or ''
    -- A stay is FROM-TO, open without TO; an old one is forgotten after sixteen later ones.
    if string.sub(stays, -1) ~= '-' then
      local kept = {}
      for stay in string.gmatch(stays, '%S+') do
        kept[#kept + 1] = stay
      end
      local first = math.max(1, #kept - 15)
      kept[#kept + 1] = since .. '-'
      redis.call('HSET', session, field, table.concat(kept, ' ', first))
      if ARGV[8] ~= '' then
        redis.call('HSET', session, 'name ' .. ARGV[4], ARGV[8])
      end
    end
  else
    owned = '0'
  end
end
return {since, epoch, newest_number(log_of(ARGV[4])), owned}
