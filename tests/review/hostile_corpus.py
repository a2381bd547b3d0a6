"""Texts that would do something, were they not only shown."""

CORPUS = {
    "script": "<script>window.ran = 1</script>",
    "handler": '<img src=x onerror="window.ran = 1">',
    "svg": '<svg onload="window.ran = 1"><animate onbegin="window.ran = 1"/></svg>',
    "frame": '<iframe srcdoc="<script>parent.ran = 1</script>"></iframe>',
    "javascript link": "[press](javascript:window.ran=1) and [this](JaVaScRiPt&#58;window.ran=1)",
    "data link": "[press](data:text/html,<script>opener.ran=1</script>)",
    "autolink": "<javascript:window.ran=1> <https://elsewhere.example/>",
    "picture": "![x](https://elsewhere.example/x.png) ![y](javascript:window.ran=1)",
    "attribute": '[x](https://elsewhere.example/"onmouseover="window.ran=1 "title")',
    "out of a fence": "```html\n</code></pre><script>window.ran = 1</script>\n```",
    "fence language": '```"><script>window.ran=1</script>\ncode\n```',
    "template": "{{ 7 * 7 }} {% for x in ().__class__.__mro__ %}{% endfor %} ${7*7} #{7*7}",
    "out of an attribute": "\"'><script>window.ran = 1</script>",
    "out of a script": "</script><script>window.ran = 1</script>",
    "comment": "<!-- --><script>window.ran = 1</script><!-- -->",
    "turned around": "safe \u202e gnp.exe \u202c \u2066isolated\u2069 \u200bzero",
    "control": "bell \x07 null \x00 escape \x1b[31m",
    "form": '<form action="https://elsewhere.example/"><button>go</button></form>',
    "style": "<style>* { display: none }</style><link rel=stylesheet href=//elsewhere.example>",
    "base": '<base href="https://e.example/"><meta http-equiv=refresh content="0;url=//e.example">',
}
