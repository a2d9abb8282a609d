-- Declares dead who was silent for too long. Nobody is while the server is new, nor when over half of them would go together: then it
-- was the network.
-- KEYS live info dead run  ARGV ttl all-channel self '1': the server keeps all that it is told -> sids declared dead now
local now, ttl = clock(), tonumber(ARGV[1])
server(KEYS[4], now, ttl, ARGV[4], '')
if now < tonumber(redis.call('HGET', KEYS[4], 'grace') or '0') then return {} end
local late = {}
for _, sid in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now)) do
  if sid ~= ARGV[3] then late[#late + 1] = sid end
end
local all = redis.call('ZCARD', KEYS[1])
if all >= 3 and #late * 2 > all and redis.call('HGET', KEYS[4], 'mercy') ~= '1' then
  redis.call('HSET', KEYS[4], 'mercy', '1', 'grace', now + ttl)
  return {}
end
if #late == 0 then
  redis.call('HDEL', KEYS[4], 'mercy')
  return late
end
for _, sid in ipairs(late) do
  redis.call('ZREM', KEYS[1], sid)
  redis.call('HDEL', KEYS[2], sid)
  redis.call('ZADD', KEYS[3], now, sid)
  redis.call('PUBLISH', ARGV[2], 'd ' .. sid)
end
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now - 3600000)
redis.call('PEXPIRE', KEYS[3], 7200000)
return late
