-- allow-oom. finish(token,job,…) = moveToFinished: completed and removed, or failed and kept (a dead letter).
-- A: list(rids, spaces between) failed('', or why it is a dead letter) → for each 1 done, 0 no longer ours
local function done(token,job)
  if A.failed=='' then return finish(token,job,'completed',0,'returnvalue','null') end
  return finish(token,job,'failed',-1,'failedReason',A.failed)
end
local out={}
for rid in string.gmatch(A.list,'%S+') do
  local job=redis.call('HGET',K.d,rid)
  if job then
    -- BullMQ's own lock may have run out; that the item is ours is said by K.d.
    local code=done(rid,job)
    if code==-2 or code==-6 then done('0',job) end
    redis.call('HDEL',K.d,rid)
    over(job)
    out[#out+1]=1
  else out[#out+1]=0 end
end
return {out,own}
