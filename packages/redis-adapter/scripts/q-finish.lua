-- allow-oom. bull(token,job) = moveToFinished: completed and removed, or failed and kept (a dead letter).
-- A: list(rids, spaces between) target keep property value → for each 1 done, 0 no longer ours
local out={}
for rid in string.gmatch(A.list,'%S+') do
  local job=redis.call('HGET',K.d,rid)
  if job then
    -- BullMQ's own lock may have run out; that the item is ours is said by K.d.
    local code=bull(rid,job)
    if code==-2 or code==-6 then bull('0',job) end
    redis.call('HDEL',K.d,rid)
    over(job)
    out[#out+1]=1
  else out[#out+1]=0 end
end
return {out,own}
