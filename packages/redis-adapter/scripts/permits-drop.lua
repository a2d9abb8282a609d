-- ARGV total, wake prefix, tag, request ids, each with a '!' before it or not…: gives back what they hold, takes them out of the line, serves who is next.
-- Gives for each grant to the program that these ids are of "id fence", and ' n' if it was notified in a condition.
memo.asking, memo.granted = sid(string.match(ARGV[4], '[^!]+')), {}
for i = 4, #ARGV do drop(ARGV[i]) end
serve(tonumber(ARGV[1]), ARGV[2], ARGV[3])
return memo.granted
