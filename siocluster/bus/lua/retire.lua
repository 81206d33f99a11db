-- A worker ends in good order: nobody has to wait until its leases expire. ARGV 4 boot.
redis.call('ZREM', ROOT .. 'workers', ARGV[4])
if redis.call('GET', ROOT .. 'leader') == ARGV[4] then
  redis.call('DEL', ROOT .. 'leader')
end
return '1'
