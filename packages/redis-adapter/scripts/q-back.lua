-- allow-oom. back(token,job) = moveJobFromActiveToWait, to the front; later(token,job,delay) = moveToDelayed.
-- A: list(rids, newest first, spaces between) same('1': the attempt is not counted) delay('', or in ms)
-- → for each 1 given back, 2 taken out of the line of getters, 0 neither
local function go(token,job)
  if A.delay~='' then return later(token,job,A.delay) end
  return back(token,job)
end
local out={}
for rid in string.gmatch(A.list,'%S+') do
  local job=redis.call('HGET',K.d,rid)
  if job then
    local code=go(rid,job)
    if code==-2 or code==-6 then go('0',job) end
    redis.call('HDEL',K.d,rid)
    if code==-1 then over(job)
    elseif A.same=='1' then redis.call('HINCRBY',P..job,'ats',-1) end
    if A.delay=='' then wakeGetter() else wakeFirst() end
    out[#out+1]=1
  elseif redis.call('LREM',K.gw,1,rid)==1 then
    wakeGetter()
    if redis.call('EXISTS',K.delayed)==1 then wakeFirst() end
    out[#out+1]=2
  else out[#out+1]=0 end
end
return {out,own}
