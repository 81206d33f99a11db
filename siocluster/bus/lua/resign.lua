-- A worker ends in good order: the next leader need not wait for its lease. Its people stay on theirs,
-- for most of them are back on another worker before it runs out. ARGV 4 boot.
if redis.call('GET', ROOT .. 'leader') == ARGV[4] then
  redis.call('DEL', ROOT .. 'leader')
end
return '1'
