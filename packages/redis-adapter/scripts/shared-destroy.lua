-- KEYS S D K R Q and those of the turn: H W N F.  ARGV id, wake prefix, tag, "sid name" of who destroys, channel of all programs or ''.
-- Tells those that wait for a turn, and with a name everybody. Gives how many keys went.
if redis.call('HGET', KEYS[1], 'id') ~= ARGV[1] then return 0 end
local message, told = 'x ' .. ARGV[3] .. ' ' .. ARGV[4], {}
if ARGV[5] ~= '' then redis.call('PUBLISH', ARGV[5], message)
else
  for _, key in ipairs({KEYS[6], KEYS[8]}) do
    for _, rid in ipairs(redis.call('HKEYS', key)) do
      local s = string.match(rid, '^[^/]+')
      if string.sub(s, 1, 1) ~= '#' and not told[s] then
        told[s] = true
        redis.call('PUBLISH', ARGV[2] .. s, message)
      end
    end
  end
end
return redis.call('UNLINK', unpack(KEYS))
