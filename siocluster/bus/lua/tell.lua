-- Publish what needs no place in the order. ARGV 4 channel, 5 text.
return redis.call('PUBLISH', ARGV[4], ARGV[5])
