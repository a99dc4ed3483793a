-- Columns share the page as their longest texts, up to 34 letters, headings as half of theirs; a Chinese character is
-- two wide.
function Table(whole)
  local widest, sum = {}, 0
  local function measure(rows, share)
    for _, row in ipairs(rows) do
      for i, cell in ipairs(row.cells) do
        local wide = 2
        for _, code in utf8.codes(pandoc.utils.stringify(cell.contents)) do wide = wide + (code > 0x2e7f and 2 or 1) end
        widest[i] = math.max(widest[i] or 5, math.min(wide * share, 34))
      end
    end
  end
  measure(whole.head.rows, 0.5)
  for _, body in ipairs(whole.bodies) do measure(body.body, 1) end
  for _, wide in ipairs(widest) do sum = sum + wide end
  for i, spec in ipairs(whole.colspecs) do whole.colspecs[i] = {spec[1], widest[i] / math.max(sum, 100)} end
  return whole
end
