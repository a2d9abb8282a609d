-- One master's part in a fence that a majority agrees on.
-- KEYS lock, "highest fence known, value, fence of it, holder" · ARGV the lock's value, '0' to propose, else the fence to keep, holder
-- Gives the fence as this master knows it, '-1' if it does not hold that value.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return '-1' end
local fence = tonumber(string.match(redis.call('GET', KEYS[2]) or '0', '^%d+'))
local note = ''
if ARGV[2] == '0' then
  local t = redis.call('TIME')
  fence = math.max(fence + 1, t[1] * 1000000 + t[2])
else
  fence = math.max(fence, tonumber(ARGV[2]))
  -- This master may have proposed more, too late to be heard.
  note = ' ' .. ARGV[1] .. ' ' .. ARGV[2] .. ' ' .. ARGV[3]
end
fence = string.format('%.0f', fence)
redis.call('SET', KEYS[2], fence .. note, 'PX', 86400000)
return fence
