-- What it held was given back before, and its objects are gone.
-- KEYS live info own(its objects) inbox  ARGV sid -> 1 if it was still known
redis.call('HDEL', KEYS[2], ARGV[1])
redis.call('DEL', KEYS[3], KEYS[4])
return redis.call('ZREM', KEYS[1], ARGV[1])
