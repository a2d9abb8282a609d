-- KEYS in  ARGV ms to keep it, the receiver's channel, entry ('<protocol> <sender> <number>\n<bytes>')
redis.call('RPUSH', KEYS[1], ARGV[3])
-- Whoever lives reads within its ttl; what a dead one leaves goes by itself.
redis.call('PEXPIRE', KEYS[1], ARGV[1])
redis.call('PUBLISH', ARGV[2], 'm mail')
return 1
