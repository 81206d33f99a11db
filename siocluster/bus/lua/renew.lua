-- Keep sessions and homes of idle clients. ARGV 4… pid, sid. Returns how many.
for index = 4, #ARGV, 2 do
  redis.call('EXPIRE', ROOT .. 'session:' .. ARGV[index], SESSION_SECONDS)
  redis.call('EXPIRE', ROOT .. 'home:' .. ARGV[index + 1], SESSION_SECONDS)
end
return (#ARGV - 3) / 2
