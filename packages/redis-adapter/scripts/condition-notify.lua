-- ARGV condition, how many, id of the caller's grant, or '-' and the id of its process where the lock is kept elsewhere, number of this
-- notification, total, wake prefix, tag
-- Gives 1, or 0: the caller does not hold the lock. Of numbers under one grant, or of one process, only those that rise count: the
-- others were sent again, which happens within seconds.
local condition, held = ARGV[1], ARGV[3]
if string.sub(held, 1, 1) == '-' then
  if tonumber(redis.call('HGET', M, held) or '0') >= tonumber(ARGV[4]) then return 1 end
  redis.call('HSET', M, held, ARGV[4])
  redis.call('PEXPIRE', M, 60000)
else
  if redis.call('HEXISTS', H, held) == 0 then return 0 end
  if tonumber(redis.call('HGET', D, '!' .. held) or '0') >= tonumber(ARGV[4]) then return 1 end
  redis.call('HSET', D, '!' .. held, ARGV[4])
end
local left = tonumber(ARGV[2])
while left > 0 and notify(condition) do left = left - 1 end
serve(tonumber(ARGV[5]), ARGV[6], ARGV[7])
return 1
