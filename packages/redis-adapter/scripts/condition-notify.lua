-- ARGV condition, how many, id of the caller's grant ('': none is needed), number of this notification, total, wake prefix, tag
-- Gives 1, or 0: the caller does not hold the lock. Of numbers under one grant only those that rise count: the others were sent again.
local condition, held = ARGV[1], ARGV[3]
if held ~= '' then
  if redis.call('HEXISTS', H, held) == 0 then return 0 end
  if tonumber(redis.call('HGET', D, '!' .. held) or '0') >= tonumber(ARGV[4]) then return 1 end
  redis.call('HSET', D, '!' .. held, ARGV[4])
end
local left = tonumber(ARGV[2])
while left > 0 and notify(condition) do left = left - 1 end
serve(tonumber(ARGV[5]), ARGV[6], ARGV[7])
return 1
