-- Of every script of shared state: a value, a dict, a list or an array.
-- S hash: 'id' which making of the name this is, 'n' number of the last write, 'l' length of an array, 'z' what its items are until
-- they are set, 'g' since when R is written · D what is kept: of a list its items, else a hash "<number of its write> <item>" by key
-- K of a dict: its keys by the number of the write that made each · R what writes gave, by request id · Q the R before
-- H who has the turn, as in _permits
local S, D, K, R, Q, H = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]

local function written()
  return string.format('%.0f', redis.call('HINCRBY', S, 'n', 1))
end

-- Number of the write and item; 0 and nothing: there is none.
local function cell(key)
  local kept = redis.call('HGET', D, key)
  if kept then
    local at = string.find(kept, ' ', 1, true)
    return tonumber(string.sub(kept, 1, at - 1)), string.sub(kept, at + 1)
  end
  return 0, redis.call('HGET', S, 'z') or nil
end
