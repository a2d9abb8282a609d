-- allow-oom. back(token,job) = moveJobFromActiveToWait, to the front.
-- A: list(rids, newest first, spaces between) same('1': the attempt is not counted)
-- → for each 1 given back, 2 taken out of the line of getters, 0 neither
local out={}
for rid in string.gmatch(A.list,'%S+') do
  local job=redis.call('HGET',K.d,rid)
  if job then
    local code=back(rid,job)
    if code==-2 or code==-6 then back('0',job) end
    redis.call('HDEL',K.d,rid)
    if code==-1 then over(job)
    elseif A.same=='1' then redis.call('HINCRBY',P..job,'ats',-1) end
    wakeGetter()
    out[#out+1]=1
  elseif redis.call('LREM',K.gw,1,rid)==1 then
    wakeGetter()
    out[#out+1]=2
  else out[#out+1]=0 end
end
return {out,own}
