-- Keep what idle clients need. ARGV 4 '1' for people, '' for sessions, 5… names behind the root.
local seconds = ARGV[4] == '1' and PEOPLE_SECONDS or SESSION_SECONDS
for index = 5, #ARGV do
  redis.call('EXPIRE', ROOT .. ARGV[index], seconds)
end
return #ARGV - 4
