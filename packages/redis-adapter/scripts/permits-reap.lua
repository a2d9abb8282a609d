-- ARGV total, wake prefix, tag, sids…: does for programs that are dead what they cannot do themselves.
-- Gives how many holdings and places in line went.
local dead, n = {}, 0
for i = 4, #ARGV do dead[ARGV[i]] = true end
for _, key in ipairs({D, H, N}) do
  for _, rid in ipairs(redis.call('HKEYS', key)) do
    if dead[sid(rid)] then
      n = n + 1
      drop('!' .. rid)
    end
  end
end
serve(tonumber(ARGV[1]), ARGV[2], ARGV[3])
return n
