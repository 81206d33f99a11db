-- A client leaves a room. ARGV 4 room's address, 5 pid or '', 6 generation, 7 number up to which it was
-- a member, or '' for now. Returns {number, epoch, '0', '1' | '0' if a later life owns the session}.
local epoch, number = current()
local till = ARGV[7] ~= '' and ARGV[7] or text(number)
local owned = '1'
if ARGV[5] ~= '' then
  local session = ROOT .. 'session:' .. ARGV[5]
  if owns(session, ARGV[6]) then
    local field = 'room ' .. ARGV[4]
    local stays = redis.call('HGET', session, field)
    if stays and string.sub(stays, -1) == '-' then
      redis.call('HSET', session, field, stays .. till)
    end
  else
    owned = '0'
  end
end
return {till, epoch, '0', owned}
