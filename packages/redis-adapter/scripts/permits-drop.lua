-- ARGV total, wake prefix, tag, request ids, each with a '!' before it or not…: gives back what they hold, takes them out of the line, serves who is next.
-- Gives for each 1 released, 2 taken out of the line, 0 neither.
local out = {}
for i = 4, #ARGV do out[#out + 1] = drop(ARGV[i]) end
serve(tonumber(ARGV[1]), ARGV[2], ARGV[3])
return out
