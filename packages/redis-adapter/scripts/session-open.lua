-- A program begins, or begins again after its session was lost.
-- KEYS live info dead  ARGV sid ttl info old(its lost sid, or '') all-channel  -> server's time in ms, -1: that sid is dead
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
if redis.call('ZSCORE', KEYS[3], ARGV[1]) then return -1 end
if ARGV[4] ~= '' then
  -- What it held hangs on the old sid; whoever waits for it takes it back as from any dead program.
  redis.call('ZREM', KEYS[1], ARGV[4])
  redis.call('HDEL', KEYS[2], ARGV[4])
  if redis.call('ZADD', KEYS[3], 'NX', now, ARGV[4]) == 1 then redis.call('PUBLISH', ARGV[5], 'd ' .. ARGV[4]) end
  redis.call('PEXPIRE', KEYS[3], 7200000)
end
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
return now
