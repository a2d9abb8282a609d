-- KEYS live info dead  ARGV sid ttl cursor(server's time of the last beat)
-- -> {1 still ours | 0 declared dead or forgotten, server's time in ms, sids declared dead since the cursor}
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local ok = 0
if redis.call('ZSCORE', KEYS[1], ARGV[1]) then
  ok = 1
  redis.call('ZADD', KEYS[1], 'XX', now + ARGV[2], ARGV[1])
end
return {ok, now, redis.call('ZRANGEBYSCORE', KEYS[3], ARGV[3], '+inf')}
