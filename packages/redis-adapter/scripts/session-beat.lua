-- KEYS live info dead run store  ARGV sid ttl cursor(server's time of the last beat) '1': the server keeps all that it is told
-- met(see _server)
-- -> {1 still ours | 0 declared dead or forgotten, server's time in ms, sids declared dead since the cursor, ms without grants, which server,
-- the store's ids}
local now, ttl = clock(), tonumber(ARGV[2])
local this = server(KEYS[4], now, ttl, ARGV[4], ARGV[5])
local till = redis.call('ZSCORE', KEYS[1], ARGV[1])
local ok = 0
-- Less than the last beat has put there: the server has gone back to what it knew before.
if till and tonumber(till) >= ARGV[3] + ttl then
  ok = 1
  redis.call('ZADD', KEYS[1], 'XX', now + ttl, ARGV[1])
end
local lost = not till and not redis.call('ZSCORE', KEYS[3], ARGV[1])
local dead = redis.call('ZRANGEBYSCORE', KEYS[3], ARGV[3], '+inf')
return {ok, now, dead, quiet(KEYS[4], now, ttl, lost), this, redis.call('SMEMBERS', KEYS[5])}
