-- ARGV condition, wake prefix, tag of the condition, "sid name" of who destroys: takes all out of its line and tells their programs.
-- Who was notified already stands in the line for the lock, and stays there.
local told = {}
for _, member in ipairs(redis.call('ZRANGEBYLEX', C, '[' .. ARGV[1] .. ' ', '(' .. ARGV[1] .. '!')) do
  local rid = string.match(member, '[^ ]+$')
  redis.call('ZREM', C, member)
  redis.call('HDEL', D, rid)
  local s = sid(rid)
  if not told[s] then
    told[s] = true
    redis.call('PUBLISH', ARGV[2] .. s, 'x ' .. ARGV[3] .. ' ' .. ARGV[4])
  end
end
return 1
