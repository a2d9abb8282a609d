-- ARGV request id, permits, total, holder, 'wait', 'poll' or 'leave' (also the line of a condition, for that of the lock), ms to keep the shape ('0': none to keep, '-1': as long as the object)
-- Gives {'g', fence, 'n' if it was notified in a condition} granted, {'w', sids…} in line, {'b', sids…} busy and not in line, {'c', total, or 0 if they belong to nobody} of another shape.
-- Asked again with the same id, it says what has become of it.
local rid, permits, total = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
if ARGV[6] == '0' and idle() and permits <= total then return {'g', grant(rid, permits, ARGV[4])} end
local mine = redis.call('HGET', H, rid)
local by = redis.call('HGET', D, rid)
if mine then return {'g', string.match(mine, '^%d+ (%d+)'), by and 'n'} end
if ARGV[6] ~= '0' then
  -- One whose permits belong to nobody keeps its state under the same key.
  if redis.call('HEXISTS', M, 'shape') == 1 then return {'c', '0'} end
  local known = redis.call('HGET', M, 'permits')
  if known and known ~= ARGV[3] then return {'c', known} end
  if not known then redis.call('HSET', M, 'permits', ARGV[3]) end
  if ARGV[6] ~= '-1' then redis.call('PEXPIRE', M, ARGV[6]) end
end
if redis.call('HEXISTS', N, rid) == 1 then return {'w', unpack(others())} end
if by then
  if ARGV[5] ~= 'leave' then return {'w', unpack(others())} end
  redis.call('HDEL', D, rid)
  redis.call('ZREM', C, string.match(by, '^[^ ]+ %d+') .. ' ' .. rid)
end
if redis.call('LLEN', W) == 0 and permits <= total - used() then return {'g', grant(rid, permits, ARGV[4])} end
local list = others()
if ARGV[5] == 'poll' then return {'b', unpack(list)} end
redis.call('RPUSH', W, rid)
redis.call('HSET', N, rid, permits .. ' ' .. ARGV[4])
return {'w', unpack(list)}
