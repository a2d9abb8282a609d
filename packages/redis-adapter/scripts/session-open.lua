-- A program begins, or begins again after its session was lost.
-- KEYS live info dead run store  ARGV sid ttl info old(its lost sid, or '') all-channel '1': the server keeps all that it is told
-- known(the store's id, as this program knows it, or '') fresh(the id, if it has none) met(see _server)
-- -> {server's time in ms, ms without grants, which server, the store's ids}, {-1}: that sid is dead
local now, ttl = clock(), tonumber(ARGV[2])
if redis.call('ZSCORE', KEYS[3], ARGV[1]) then return {-1} end
local this = server(KEYS[4], now, ttl, ARGV[6], ARGV[9])
local lost = false
if ARGV[4] ~= '' then
  lost = not redis.call('ZSCORE', KEYS[1], ARGV[4]) and not redis.call('ZSCORE', KEYS[3], ARGV[4])
  -- What it held hangs on the old sid; whoever waits for it takes it back as from any dead program.
  redis.call('ZREM', KEYS[1], ARGV[4])
  redis.call('HDEL', KEYS[2], ARGV[4])
  if redis.call('ZADD', KEYS[3], 'NX', now, ARGV[4]) == 1 then redis.call('PUBLISH', ARGV[5], 'd ' .. ARGV[4]) end
  redis.call('PEXPIRE', KEYS[3], 7200000)
end
redis.call('ZADD', KEYS[1], now + ttl, ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
-- A store that came back empty learns what it was called: handles that are under way name it so.
if ARGV[7] ~= '' then redis.call('SADD', KEYS[5], ARGV[7])
elseif redis.call('EXISTS', KEYS[5]) == 0 then redis.call('SADD', KEYS[5], ARGV[8]) end
return {now, quiet(KEYS[4], now, ttl, lost), this, redis.call('SMEMBERS', KEYS[5])}
