-- Of every script of a queue. KEYS[1]: what the names of all its keys begin with; no key itself. P: the same for BullMQ's keys. K: ours.
-- A: the arguments by name, among them self (the caller's sid), wake and tag.
-- Each script returns {outcome, wakes of the caller's own program}; other programs are told by PUBLISH.
local B=KEYS[1]
local P=B..':q:'
-- m: shape, closed · p: what puts have done, by rid · u: what is not over, by number · d: what is held, by rid
-- gw, pw, jw: who waits for an item, for room, for the end of the work
local K={m=B..':m',p=B..':p',u=B..':u',gw=B..':gw',pw=B..':pw',jw=B..':jw',d=B..':d',wait=P..'wait',prioritized=P..'prioritized',delayed=P..'delayed',failed=P..'failed'}
local t=redis.call('TIME')
local now=t[1]*1000+math.floor(t[2]/1000)
local own={}
local function sid(rid) return string.match(rid,'^[^/]+') end
-- A job's place among all: BullMQ counts its ids, unless who added one by hand named it.
local function number(job) return tonumber(job) or tonumber(redis.call('GET',P..'id') or '0') end
local function available() return redis.call('LLEN',K.wait)+redis.call('ZCARD',K.prioritized) end
local function tell(rid,what)
  local s=sid(rid)
  if s==A.self then own[#own+1]=what..' '..rid
  else redis.call('PUBLISH',A.wake..s,what..' '..A.tag..' '..rid) end
end
-- The getter whose turn the newest available item is, if so many wait.
local function wakeGetter()
  local n=available()
  local g=n>0 and redis.call('LINDEX',K.gw,n-1)
  if g then tell(g,'i') end
end
-- Who is first in line asks when the next delayed item may be taken, and again when another is first or another item is next.
local function wakeFirst()
  local g=redis.call('LINDEX',K.gw,0)
  if g then tell(g,'i') end
end
local function wakePutter()
  local p=redis.call('LINDEX',K.pw,0)
  if p then tell(p,'r') end
end
-- One word for each program that stands in the list.
local function wakeAll(list,what)
  local told={}
  for _,rid in ipairs(redis.call('LRANGE',list,0,-1)) do
    if not told[sid(rid)] then told[sid(rid)]=true tell(rid,what) end
  end
end
-- A job that BullMQ does not end itself: all that there is of it beside the lines.
local function forget(job)
  local id=redis.call('HGET',P..job,'deid')
  if id and redis.call('GET',P..'de:'..id)==job then redis.call('DEL',P..'de:'..id) end
  redis.call('UNLINK',P..job,P..job..':lock',P..job..':logs',P..job..':dependencies',P..job..':processed',P..job..':failed',P..job..':unsuccessful')
end
-- An item is over for good: room, joiners, the end of a closed queue.
local function over(job)
  redis.call('ZREM',K.u,job)
  local m=redis.call('HMGET',K.m,'maxSize','closed')
  if m[1]~='0' then wakePutter() end
  if redis.call('EXISTS',K.jw)==1 then
    local first=redis.call('ZRANGE',K.u,0,0,'WITHSCORES')
    local limit=first[2] and '('..first[2] or '+inf'
    for _,rid in ipairs(redis.call('ZRANGEBYSCORE',K.jw,'-inf',limit)) do
      redis.call('ZREM',K.jw,rid)
      tell(rid,'j')
    end
  end
  if m[2] then wakeAll(K.gw,'c') end
end
-- The programs that stand in the way of who waits: those that hold items, and those in front in the lines. At most 16.
local function others()
  local seen,list={[A.self]=true},{}
  local function add(rid)
    local s=sid(rid)
    if not seen[s] and #list<16 then seen[s]=true list[#list+1]=s end
  end
  for _,rid in ipairs(redis.call('HKEYS',K.d)) do add(rid) end
  for _,line in ipairs({K.gw,K.pw}) do
    for _,rid in ipairs(redis.call('LRANGE',line,0,15)) do add(rid) end
  end
  return list
end
