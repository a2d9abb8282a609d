-- ARGV id, operation, its own…  Gives {1, answer}, {-1} there is no such object.
if redis.call('HGET', S, 'id') ~= ARGV[1] then return {-1} end
local reads = {}

function reads.look()
  return 1
end

-- key
function reads.get(a)
  local n, item = cell(ARGV[a])
  return {n, item}
end

return {1, reads[ARGV[2]](3)}
