/** A script for lighttpd's mod_magnet: it sends the compressed file beside a text, where there is one and the browser takes it. */
export const compressedLua = `-- Made by site build.
local request = lighty.r
local asked = request.req_header["Accept-Encoding"]
local path = request.req_attr["physical.path"]
local types = {
  html = "text/html; charset=utf-8", css = "text/css; charset=utf-8", txt = "text/plain; charset=utf-8",
  js = "text/javascript; charset=utf-8", mjs = "text/javascript; charset=utf-8", json = "application/json",
  xml = "application/xml", svg = "image/svg+xml", webmanifest = "application/manifest+json" }
if path and path:sub(-1) == "/" then path = path .. "index.html" end
local kind = path and types[path:match("%.(%w+)$")]
if not kind then return 0 end
request.resp_header["Vary"] = "Accept-Encoding"
local function accepts(name)
  for part in (asked or ""):lower():gmatch("[^,]+") do
    local word, rest = part:match("^%s*([%w%*%-]+)%s*(.*)$")
    if word == name then
      local weight = rest:match("q%s*=%s*([%d%.]+)")
      return not weight or tonumber(weight) > 0
    end
  end
  return false
end
for _, form in ipairs({ { "br", ".br" }, { "gzip", ".gz" } }) do
  local found = accepts(form[1]) and lighty.c.stat(path .. form[2])
  if found and found.is_file then
    request.resp_header["Content-Encoding"] = form[1]
    request.resp_header["Content-Type"] = kind
    request.req_attr["physical.path"] = path .. form[2]
    return 0
  end
end
return 0
`;
