-- Which of these programs are no more: neither alive nor late, but declared dead, closed or forgotten.
-- KEYS live  ARGV sid... -> sids
local gone = {}
for _, sid in ipairs(ARGV) do
  if not redis.call('ZSCORE', KEYS[1], sid) then gone[#gone + 1] = sid end
end
return gone
