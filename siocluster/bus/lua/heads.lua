-- The newest number of each log. ARGV 4 place, 5… addresses.
-- Returns {number, epoch, newest of the place's chain, newest of each log…}.
local epoch, number = current()
local reply = {text(number), epoch, redis.call('GET', ROOT .. 'chain:' .. ARGV[4]) or '0'}
for index = 5, #ARGV do
  reply[#reply + 1] = newest_number(log_of(ARGV[index]))
end
return reply
