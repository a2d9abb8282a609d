-- allow-oom but for publish, which a full store refuses. ARGV: op self(sid) wake tag …; returns {outcome, wakes of the caller's own program}.
-- N number of the last message · E stream of messages, "<number>-0" · L hash: who listens, a sid each, and until when · P hash of puts by rid
-- W hash: of each sid in L, its processes that listen, as JSON
local N,E,L,P,W=KEYS[1],KEYS[2],KEYS[3],KEYS[4],KEYS[5]
local op,self=ARGV[1],ARGV[2]
local t=redis.call('TIME')
local now=t[1]*1000+math.floor(t[2]/1000)
-- How long what nobody renews is kept, in ms; how many messages are.
local KEEP,MOST=60000,10000
local own={}
local function tell(sid,letter)
  if sid==self then own[#own+1]=letter
  else redis.call('PUBLISH',ARGV[3]..sid,letter..' '..ARGV[4]) end
end
-- By the clock, so that after a loss of all data no number comes twice.
local function begin()
  if redis.call('EXISTS',N)==0 then redis.call('SET',N,string.format('%.0f',t[1]*1000000+t[2])) end
end
local function listen()
  redis.call('HSET',L,self,string.format('%.0f',now+KEEP))
  redis.call('PEXPIRE',L,KEEP)
  redis.call('PEXPIRE',N,KEEP)
  redis.call('PEXPIRE',W,KEEP)
end
if op=='publish' then
  -- rid confirmed(rids, spaces between) bytes
  for done in string.gmatch(ARGV[6],'%S+') do redis.call('HDEL',P,done) end
  if redis.call('HSETNX',P,ARGV[5],'1')==0 then return {1,own} end
  redis.call('PEXPIRE',P,KEEP)
  begin()
  local n=string.format('%.0f',redis.call('INCR',N))
  redis.call('PEXPIRE',N,KEEP)
  local heard=false
  local all=redis.call('HGETALL',L)
  for i=1,#all,2 do
    if tonumber(all[i+1])<now then
      redis.call('HDEL',L,all[i])
      redis.call('HDEL',W,all[i])
    else
      heard=true
      tell(all[i],'m')
    end
  end
  if heard then
    redis.call('XADD',E,'MAXLEN','~',MOST,n..'-0','d',ARGV[7])
    redis.call('PEXPIRE',E,KEEP)
  end
  return {1,own}
elseif op=='join' then
  -- its processes → number of the last message
  begin()
  redis.call('HSET',W,self,ARGV[5])
  listen()
  return {redis.call('GET',N),own}
elseif op=='read' then
  -- after(number) count → {number of the last message, or '': nobody knows, then number and bytes of each}
  local n=redis.call('GET',N)
  if not n then return {{''},own} end
  listen()
  local out={n}
  for _,one in ipairs(redis.call('XRANGE',E,'('..ARGV[5]..'-0','+','COUNT',ARGV[6])) do
    out[#out+1]=string.match(one[1],'^%d+')
    out[#out+1]=one[2][2]
  end
  return {out,own}
elseif op=='who' then
  -- its processes
  if redis.call('HEXISTS',L,self)==1 then redis.call('HSET',W,self,ARGV[5]) end
  return {1,own}
elseif op=='leave' then
  redis.call('HDEL',L,self)
  redis.call('HDEL',W,self)
  if redis.call('HLEN',L)==0 then redis.call('DEL',E) end
  return {1,own}
elseif op=='destroy' then
  for _,sid in ipairs(redis.call('HKEYS',L)) do tell(sid,'x') end
  return {redis.call('DEL',N,E,L,P,W),own}
end
return redis.error_reply('SKEIN unknown operation '..op)
