-- What it held was given back before, and its objects are gone.
-- KEYS live info  ARGV sid -> 1 if it was still known
redis.call('HDEL', KEYS[2], ARGV[1])
return redis.call('ZREM', KEYS[1], ARGV[1])
