-- Gives permits in use, request id of the oldest grant or '', and "permits fence holder" of it.
local oldest, lowest, what = '', nil, ''
local all = redis.call('HGETALL', H)
for i = 1, #all, 2 do
  if string.sub(all[i], 1, 1) ~= '#' then
    local fence = tonumber(string.match(all[i + 1], '^%d+ (%d+)'))
    if not lowest or fence < lowest then oldest, lowest, what = all[i], fence, all[i + 1] end
  end
end
return {used(), oldest, what}
