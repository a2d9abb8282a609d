-- ARGV request id, condition, id of the grant that it gives back ('': none), permits, holder, total, wake prefix, tag
-- Gives as `permits-acquire`: {'w', sids…} it waits, in the condition or behind it, {'g', fence, 'n'} it was granted since, {'l'} it did
-- not hold the lock.
local rid, condition, held = ARGV[1], ARGV[2], ARGV[3]
local mine = redis.call('HGET', H, rid)
if mine then return {'g', string.match(mine, '^%d+ (%d+)'), redis.call('HEXISTS', D, rid) == 1 and 'n'} end
if redis.call('HEXISTS', N, rid) == 0 and redis.call('HEXISTS', D, rid) == 0 then
  if held ~= '' and redis.call('HEXISTS', H, held) == 0 then return {'l'} end
  local last = redis.call('ZREVRANGEBYLEX', C, '(' .. condition .. '!', '[' .. condition .. ' ', 'LIMIT', 0, 1)[1]
  local place = string.format('%016d', (last and tonumber(string.match(last, '^[^ ]+ (%d+)')) or 0) + 1)
  redis.call('ZADD', C, 0, condition .. ' ' .. place .. ' ' .. rid)
  redis.call('HSET', D, rid, condition .. ' ' .. place .. ' ' .. ARGV[4] .. ' ' .. ARGV[5])
  if held ~= '' then drop(held) end
  serve(tonumber(ARGV[6]), ARGV[7], ARGV[8])
end
return {'w', unpack(others())}
