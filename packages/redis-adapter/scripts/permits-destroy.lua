-- ARGV wake prefix, tag, "sid name" of who destroys: tells every program that holds or waits here.
-- Gives how many keys went.
local told = {}
for _, key in ipairs({H, N, D}) do
  for _, rid in ipairs(redis.call('HKEYS', key)) do
    local s = sid(rid)
    if not string.match(s, '^[#!]') and not told[s] then
      told[s] = true
      redis.call('PUBLISH', ARGV[1] .. s, 'x ' .. ARGV[2] .. ' ' .. ARGV[3])
    end
  end
end
return redis.call('DEL', H, W, N, F, M, C, D)
