"""The Persian sentences of the report."""

from __future__ import annotations

PERSIAN = {
    "comma": "، ",
    "title": "گزارش واگرایی: {study}",
    # headings
    "h_answer": "پاسخ",
    "h_compared": "چه چیزی با چه چیزی مقایسه شد",
    "h_numbers": "عددها",
    "h_comparison": "مقایسه",
    "h_rates": "واگرایی",
    "h_yardstick_epochs": "سنجهٔ ثابت در هر دور",
    "h_train_epochs": "زیان‌های چاپ‌شدهٔ آموزش در هر دور",
    "h_first_bad": "نخستین گام‌های خراب",
    "h_search": "جست‌وجو",
    "h_recommendation": "توصیه",
    "h_limits": "آنچه نشان داده نشد، و محدودیت‌ها",
    "h_failures": "خرابی‌های زیرساخت",
    "h_reproduce": "چگونه تکرار کنیم",
    # cells and column heads
    "na": "داده ندارد",
    "failed": "ناموفق",
    "not_comparable": "قابل مقایسه نیست",
    "comparable": "بله",
    "reason_cell": "قابل مقایسه نیست: {reason}",
    "no_improvement": "نشان داده نشد",
    "better": "{factor} برابر بهتر",
    "worse": "{factor} برابر بدتر",
    "factor_cell": "{factor} [{interval}]",
    "factor_bare": "{factor} [بی‌بازه]",
    "nonfinite_cell": "{count} مقدار غیرمتناهی",
    "partly_nonfinite": "{mean}؛ {count} مقدار غیرمتناهی",
    "none_reached": "هیچ آزمایشی به اینجا نرسید",
    "differs": "≠",
    "arm_baseline": "{arm} (پایه)",
    "arm_treatment": "{arm} (آزموده)",
    "col_setting": "تنظیم",
    "col_differs": "متفاوت؟",
    "col_metric": "معیار",
    "col_factor": "نسبت [بازهٔ ۹۵٪]",
    "col_improvement": "بهبود",
    "col_comparable": "قابل مقایسه؟",
    "col_arm": "پیش‌تنظیم",
    "col_n": "تعداد",
    "col_diverged": "واگرا",
    "col_rate": "نرخ",
    "col_interval": "بازهٔ ۹۵٪",
    "col_upper": "حداکثر (۹۵٪، یک‌سویه)",
    "col_median_steps": "میانهٔ گام تا واگرایی",
    "col_failures": "خرابی زیرساخت",
    "col_epoch": "دور",
    "col_trial": "آزمایش",
    "col_seed": "بذر",
    "col_step": "گام",
    "col_kind": "رویداد",
    "col_where": "کجا",
    "col_evidence": "شاهد",
    "col_outcome": "پایان",
    "col_error": "خطا",
    "col_component": "مؤلفه",
    "col_definition": "چگونه محاسبه می‌شود",
    "col_item": "مورد",
    "col_value": "مقدار",
    "before_training": "پیش از آموزش",
    "first_epoch": "{epoch} (نخستین)",
    "trial_cell": "{stage} شمارهٔ {number}",
    # metrics
    "metric_yardstick_final": "سنجهٔ ثابت {component}، دور آخر",
    "metric_yardstick_first": "سنجهٔ ثابت {component}، دور نخست",
    "metric_train_first": "زیان چاپ‌شدهٔ {component}، دور نخست",
    "reason_same": "تعریف یکسان",
    "reason_definitions": "تعریف‌ها فرق دارند",
    "reason_weights": "وزن‌های زیان فرق دارند",
    "reason_unrecorded": "تعریف ثبت نشده است",
    "name_mcnemar": "مک‌نمار دقیق",
    "name_barnard": "بارنارد",
    "name_newcombe_paired": "امتیاز ترکیبی نیوکام، جفت‌شده",
    "name_newcombe_unpaired": "امتیاز ترکیبی نیوکام، جفت‌نشده",
    "name_bca": "بوت‌استرپ BCa",
    "name_student": "t استیودنت روی لگاریتم نسبت‌ها",
    "name_one_pair": "ندارد، کمتر از دو جفت",
    "name_all_equal": "ندارد، نسبت همهٔ جفت‌ها یکی است",
    # the answer
    "answer_nothing": "هنوز هیچ آزمایشی شاهدی نداده است، پس چیزی نمی‌توان گفت.",
    "answer_more": "{more} بیشتر از {less} واگرا شد: {k_more} از {n_more} آزمایش در برابر {k_less} از"
    " {n_less}، در حداکثر {steps} گام ({test}، {p}).",
    "answer_no_difference": "تفاوتی در واگرایی نشان داده نشد: {k_baseline} از {n_baseline} آزمایش"
    " {baseline} و {k_treatment} از {n_treatment} آزمایش {treatment} در حداکثر {steps} گام واگرا شد"
    " ({test}، {p})؛ نرخ واقعی تا {upper_baseline} و {upper_treatment} هنوز با داده‌ها سازگار است (هر یک با اطمینان ۹۵٪).",
    "answer_insufficient": "شواهد دربارهٔ واگرایی ناکافی است: {baseline} در {k_baseline} از {n_baseline}"
    " آزمایش و {treatment} در {k_treatment} از {n_treatment} آزمایش واگرا شد؛ واگرایی تا {upper_baseline}"
    " و {upper_treatment} هنوز با داده‌ها سازگار است.",
    "answer_one_trial": "{arm}: شواهد ناکافی است: واگرایی تا {upper} هنوز با داده‌ها سازگار است.",
    "answer_arm": "{arm} در {k} از {n} آزمایش، در حداکثر {steps} گام، واگرا شد؛ واگرایی تا {upper} هنوز"
    " با داده‌ها سازگار است.",
    "answer_arms": "در {arms} پیش‌تنظیم، {k} از {n} آزمایش در حداکثر {steps} گام واگرا شد.",
    "answer_arm_missing": "هیچ آزمایشی از {arm} شاهدی نداد، پس این دو را نمی‌توان مقایسه کرد.",
    "answer_yardstick_lower": "بر سنجهٔ ثابت پس از دور آخر، {treatment} کمتر بود: {factor} برابر"
    " {baseline} (بازهٔ ۹۵٪: {interval}، {pairs} جفت که به پایان رسیدند) و در {wins} از {ranked} جفت"
    " جلوتر.",
    "answer_yardstick_higher": "بر سنجهٔ ثابت پس از دور آخر، {treatment} بیشتر بود: {factor} برابر"
    " {baseline} (بازهٔ ۹۵٪: {interval}، {pairs} جفت که به پایان رسیدند) و در {wins} از {ranked} جفت"
    " جلوتر.",
    "answer_yardstick_none": "بر سنجهٔ ثابت پس از دور آخر تفاوتی نشان داده نشد: {treatment} {factor} برابر"
    " {baseline} بود (بازهٔ ۹۵٪: {interval}، {pairs} جفت که به پایان رسیدند) و در {wins} از {ranked} جفت"
    " جلوتر.",
    "answer_yardstick_bare": "بر سنجهٔ ثابت پس از دور آخر، {treatment} در {pairs} جفت {factor} برابر"
    " {baseline} بود؛ این برای یک بازه کم است.",
    "answer_search_none": "در جست‌وجو، هیچ‌یک از {n} آزمایش در حداکثر {steps} گام واگرا نشد.",
    "answer_search_some": "در جست‌وجو، {k} از {n} آزمایش در حداکثر {steps} گام واگرا شد.",
    "answer_search_edge": "در جست‌وجو، {k} از {n} آزمایش در حداکثر {steps} گام واگرا شد: کوچک‌ترین {param}"
    " واگرا {value} بود و {clear} آزمایش زیر آن انجام شد.",
    # what was compared
    "preset_difference": "{baseline} و {treatment} هم‌زمان در {count} تنظیم فرق دارند ({names}). هر تفاوتی"
    " در ادامه، تفاوت دو پیش‌تنظیم است و شاهدی دربارهٔ هیچ تنظیم تنها نیست.",
    "single_difference": "{baseline} و {treatment} در یک تنظیم فرق دارند، {names}، و بذرهای یکسان دارند.",
    "same_settings": "{baseline} و {treatment} تنظیم‌های یکسان دارند.",
    "paired_seeds": "آزمایش شمارهٔ k در همهٔ پیش‌تنظیم‌ها یک بذر دارد که آموزشگر درونی، وزن‌های آغازین، ترتیب داده و"
    " نوفه را از آن می‌گیرد.",
    "trial_means": "بودجهٔ هر آزمایش: {epochs} دور، اندازهٔ دسته {batch}، پیکرهٔ {corpus}، مدل {model}،"
    " آموزشگر {trainer}؛ بلندترین آزمایش {steps} گام برداشت.",
    "yardstick_is": "سنجهٔ ثابت: {formula}، با ضریب‌های یکسان برای همهٔ آزمایش‌ها. آموزشگر درونی آن را در حالت ارزیابی"
    " و روی یک دستهٔ ثابت حساب می‌کند؛ هر آموزشگر دیگری خود پاسخگوی سنجهٔ خویش است.",
    "no_arms": "این مطالعه پیش‌تنظیمی ندارد.",
    # numbers
    "factor_means": "نسبت: آزموده تقسیم بر پایه، میانگین هندسی روی جفت‌های هم‌بذر؛ کمتر از ۱ یعنی آزموده"
    " کمتر است، که بهتر است. برای هر پیش‌تنظیم میانگین ± انحراف معیار آزمایش‌ها آمده است. بازه‌ها: {method}."
    " هر سطر ۹۵٪ خودش را دارد؛ داوری با سطر نخست است.",
    "pairs_used": "جفت‌هایی که به پایان رسیدند و در نسبت آمده‌اند: {used}. جفت‌هایی که تنها {baseline} واگرا"
    " شد: {baseline_only}، تنها {treatment}: {treatment_only}، هر دو: {both}. بذرهای بدون جفت قابل"
    " استفاده: {dropped}.",
    "wins": "آزمایش واگرا از همه پایین‌تر رتبه می‌گیرد: {treatment} در {wins} جفت کمتر، در {losses} جفت"
    " بیشتر و در {ties} جفت برابر است (احتمال برد {probability}؛ رتبه‌های علامت‌دار ویلکاکسون، {p}).",
    "definitions_intro": "زیان‌های چاپ‌شده تنها جایی قابل مقایسه‌اند که هر دو پیش‌تنظیم یک چیز را حساب کنند:",
    "rates_intro": "تعداد، آزمایش‌هایی است که آموزششان شاهد داد؛ خرابی زیرساخت نه واگرا شمرده می‌شود نه غیر"
    " آن. بازه‌ها: ویلسون؛ کران‌های بالا: کلاپر-پیرسون.",
    "rate_difference": "نرخ {treatment} منهای نرخ {baseline}: {difference} [{interval}] ({method}؛"
    " {test}، {p}).",
    "discordant": "از {pairs} جفت، در {treatment_only} جفت تنها {treatment} و در {baseline_only} جفت تنها"
    " {baseline} واگرا شد.",
    "logrank": "زمان تا واگرایی، آزمون لگ‌رنک: {p} (مجانبی؛ آزمایش‌هایی که جور دیگری پایان یافتند"
    " سانسورشده‌اند).",
    "one_seed": "یک آزمایش شاهد ناکافی است: واگرایی تا {upper} هنوز با داده‌ها سازگار است.",
    "median_not_reached": "نرسید",
    "epochs_intro": "میانگین ± انحراف معیار روی مقدارهای متناهی آزمایش‌ها؛ مقدارهای غیرمتناهی کنار میانگین"
    " شمرده می‌شوند و هرگز در آن نمی‌آیند.",
    "epochs_skipped": "برخی دورها اینجا نیامده‌اند؛ گزارش JSON همه را دارد.",
    "first_bad_none": "هیچ آزمایشی واگرا نشد.",
    "first_bad_intro": "نخستین گام خراب هر آزمایش واگرا، چنان‌که در همین اجرا رخ داد.",
    "rows_left_out": "سطرهایی که اینجا نیامده‌اند و همه در گزارش JSON هستند: {count}.",
    # looks
    "name_obrien_fleming": "اوبراین-فلمینگ",
    "name_pocock": "پوکاک",
    "looks_ended_early": "این مرحله زودتر پایان یافت، پس از نگاه {looks_made} از {looks_planned} ({trials} از"
    " {trials_planned} آزمایش برنامه‌ریزی‌شده): مقدار p برابر {p}، {level}. قاعده: مصرف خطای {spending}"
    " (لن-دمتس)، روی هم {alpha} در همهٔ نگاه‌ها؛ تنها واگرایی مرحله را پایان می‌دهد. تفاوتی که مرحله‌ای را زود پایان"
    " می‌دهد معمولاً بزرگ‌تر از واقع برآورد می‌شود.",
    "looks_all_made": "هر {looks_planned} نگاه برنامه‌ریزی‌شده انجام شد ({trials} از {trials_planned} آزمایش"
    " برنامه‌ریزی‌شده): در آخرین نگاه، مقدار p برابر {p}، {level}. قاعده: مصرف خطای {spending} (لن-دمتس)، روی هم"
    " {alpha} در همهٔ نگاه‌ها.",
    "looks_unfinished": "{looks_made} نگاه از {looks_planned} نگاه برنامه‌ریزی‌شده انجام شد ({trials} از"
    " {trials_planned} آزمایش برنامه‌ریزی‌شده) و هیچ‌یک مرحله را پایان نداد: در آخرین نگاه، مقدار p برابر {p}،"
    " {level}. آزمایش‌های بعدی در انتظار نگاه بعدی‌اند. قاعده: مصرف خطای {spending} (لن-دمتس)، روی هم {alpha} در"
    " همهٔ نگاه‌ها.",
    "looks_none_made": "هنوز هیچ‌یک از {looks_planned} نگاه برنامه‌ریزی‌شده ممکن نشده است ({trials_planned} آزمایش"
    " برنامه‌ریزی‌شده)، پس دربارهٔ تفاوت چیزی گفته نمی‌شود. قاعده: مصرف خطای {spending} (لن-دمتس)، روی هم {alpha} در"
    " همهٔ نگاه‌ها.",
    "looks_level": "که آنجا مقدار حداکثر {level} تصمیم می‌گیرد",
    "looks_no_level": "که آنجا با این تعداد کم جفت ناهمسان هیچ مقداری تصمیم نمی‌گیرد",
    "looks_interval": "بازهٔ تفاوت نرخ‌ها بازهٔ {confidence}٪ است: در همهٔ نگاه‌ها روی هم حداکثر {alpha} بیرون می‌ماند."
    " هیچ بازه یا مقدار p دیگری در اینجا نگاه‌ها را به حساب نمی‌آورد.",
    "looks_none_planned": "{trials} از {trials_planned} آزمایش برنامه‌ریزی‌شده ثبت شده است. نگاهی پیش از پایان در"
    " برنامه نبود، پس همهٔ آن‌ها اجرا می‌شوند و تا آن هنگام مقدارهای p در اینجا تصمیمی نمی‌گیرند.",
    # search
    "search_counts": "{n} آزمایش شاهد داد، {k} آزمایش واگرا شد، {failures} خرابی زیرساخت؛ نمونه‌گیر"
    " {sampler}.",
    "search_best": "بهترین: آزمایش شمارهٔ {number}، سنجهٔ ثابت {value} پس از دور آخر، با {settings}.",
    "search_no_best": "هیچ آزمایشی با سنجهٔ متناهی به پایان نرسید، پس بهترینی نیست.",
    "search_edge": "کوچک‌ترین {param} واگرا: {smallest}. بزرگ‌ترین {param} که واگرا نشد: {largest}.",
    "search_overlap": "میان {low} و {high} برخی آزمایش‌ها واگرا شدند و برخی نه: تنظیم‌های دیگر هم فرق می‌کردند.",
    "search_no_divergence": "در هیچ {param} آزموده‌ای ({low} تا {high}) واگرایی دیده نشد.",
    "caveat_adaptive": "نمونه‌گیر آزمایش‌های بعدی را با نگاه به نتیجه‌های قبلی برگزید، پس سهم آزمایش‌های"
    " واگرا نرخ نیست.",
    "caveat_space": "سهم آزمایش‌های واگرا سهمی از بازه‌های جست‌وجوست، نه نرخ واگرایی یک تنظیم.",
    # recommendation
    "rec_nothing": "هنوز چیزی برای توصیه نیست.",
    "rec_prefer": "جایی که واگرایی مهم است {less} را بر {more} ترجیح دهید: اینجا کمتر واگرا شد.",
    "rec_either": "از نظر واگرایی هر کدام را خواستید نگه دارید: تفاوتی نشان داده نشد.",
    "rec_neither": "تفاوتی نشان داده نشد و هر دو دست‌کم در نیمی از آزمایش‌هایشان واگرا شدند: هیچ‌کدام را به"
    " همین شکل نگه ندارید.",
    "rec_insufficient": "دربارهٔ واگرایی شاهدی برای انتخاب نیست.",
    "rec_yardstick": "تنها بر پایهٔ سنجهٔ ثابت، {better} در جفت‌هایی که هر دو به پایان رسیدند {percent} کمتر"
    " بود.",
    "rec_yardstick_survivors": "در جفت‌هایی که هر دو به پایان رسیدند، {better} بر سنجهٔ ثابت {percent} کمتر"
    " بود؛ اگر آزمایش‌های واگرا در رتبهٔ آخر باشند، تفاوتی نشان داده نشد.",
    "rec_yardstick_none": "سنجهٔ ثابت دلیلی برای انتخاب هیچ‌کدام نمی‌دهد.",
    "rec_need": "برای جدا کردن نرخ‌های واگرایی {low} و {high} (سطح ۵٪، توان ۸۰٪): {seeds} بذر برای هر"
    " پیش‌تنظیم.",
    "rec_need_observed": "اگر نرخ‌های دیده‌شده ({low} و {high}) نرخ‌های واقعی باشند، {seeds} بذر برای هر"
    " پیش‌تنظیم آن‌ها را از هم جدا می‌کند (سطح ۵٪، توان ۸۰٪).",
    "rec_need_many": "جدا کردن نرخ‌های واگرایی {low} و {high} بیش از {seeds} بذر برای هر پیش‌تنظیم می‌خواهد.",
    "rec_command": "گزینهٔ {override}، پس از نام پروندهٔ مطالعه، {seeds} بذر درخواست می‌کند.",
    "rec_exclude": "{seeds} بذر بدون واگرایی، نرخ {rate} یا بیشتر را با اطمینان ۹۵٪ رد می‌کند.",
    "rec_edge": "در {bound}، در {n} آزمایش جست‌وجو و حداکثر {steps} گام، واگرایی دیده نشد؛ کوچک‌ترین"
    " {param} واگرا {diverged} بود.",
    "rec_edge_open": "در {bound}، در {n} آزمایش جست‌وجو و حداکثر {steps} گام، واگرایی دیده نشد؛ بزرگ‌تر از"
    " آن آزموده نشد.",
    "rec_edge_all": "همهٔ آزمایش‌های جست‌وجو واگرا شدند، کوچک‌ترین در {value}: مقدارهای پایین‌تر {param} را"
    " بگردید.",
    "rec_headroom": "مقدار {param} در {arm}، یعنی {value}، {decades} مرتبهٔ بزرگی پایین‌تر از کوچک‌ترین"
    " مقدار واگراست؛ تنظیم‌های دیگر آنجا فرق دارند.",
    "rec_headroom_above": "مقدار {param} در {arm}، یعنی {value}، {decades} مرتبهٔ بزرگی بالاتر از کوچک‌ترین"
    " مقدار واگراست؛ تنظیم‌های دیگر آنجا فرق دارند.",
    # limits
    "limit_steps": "دربارهٔ آموزش پس از {steps} گام چیزی نشان داده نشد: اجرا ممکن است دیرتر واگرا شود.",
    "limit_data": "میان آزمایش‌های یک پیش‌تنظیم تنها بذر تغییر می‌کند؛ پیکره ({corpus}) و مدل ({model}) همه‌جا یکی"
    " بودند.",
    "limit_blow_up": "انفجار متناهی تنها هنگام ارزیابی و از گام ۵ به بعد سنجیده می‌شود: جهشی که میان دو ارزیابی بیاید و"
    " برود واگرایی شمرده نمی‌شود.",
    "limit_preset": "پیش‌تنظیم‌ها در چند تنظیم فرق دارند، پس هیچ تنظیم تنهایی نه ستوده می‌شود نه نکوهیده.",
    "limit_ranges": "جست‌وجو تنها درون این بازه‌ها گشت: {ranges}.",
    "limit_failures": "آزمایش‌هایی که به خرابی زیرساخت خوردند و در هیچ‌یک از عددهای بالا نیستند: {count}.",
    "limit_not_run": "اجرا نشده: {stages}.",
    "failures_intro": "این آزمایش‌ها شاهدی ندادند. اگر خرابی به تنظیمی وابسته باشد، نرخ‌های بالا اریب‌اند.",
    # reproduce
    "reproduce_command": "اجرای دوباره با:",
    "dirty": "تغییرهای ثبت‌نشده",
    "clean": "بی‌تغییر",
    "not_recorded": "ثبت نشده",
    "env_spec_sha256": "spec sha256",
    "env_project": "پروژه",
    "env_working_directory": "پوشهٔ کار",
    # figures
    "fig_arms": "{k_baseline} از {n_baseline} آزمایش {baseline} و {k_treatment} از {n_treatment} آزمایش"
    " {treatment} واگرا شد؛ نسبت سنجه {factor} [{interval}]",
    "fig_arms_bare": "واگرا: {counts}",
    "fig_arm_count": "{k} از {n} آزمایش {arm}",
    "fig_yardstick": "سنجهٔ ثابت پس از هر دور: تعریف یکسان برای همه",
    "fig_total_comparable": "زیان کل چاپ‌شده در هر گام: قابل مقایسه",
    "fig_total_not": "زیان کل چاپ‌شده در هر گام: قابل مقایسه نیست ({reason})",
    "fig_total_plain": "زیان کل چاپ‌شده در هر گام",
    "fig_epoch": "دور",
    "fig_before": "آغاز",
    "fig_step": "گام",
    "fig_loss": "زیان",
    "fig_bad": "اینجا واگرا شد",
    "fig_median": "{arm}، میانهٔ {n} آزمایش",
    "fig_search_edge": "{k} از {n} آزمایش واگرا شد: کوچک‌ترین {param} واگرا {value}",
    "fig_search_none": "هیچ‌یک از {n} آزمایش واگرا نشد، {param} از {low} تا {high}",
    "fig_first_yardstick": "سنجهٔ ثابت پس از دور نخست",
    "fig_first_total": "زیان کل چاپ‌شده، دور نخست (وزن‌ها متغیرند)",
    "fig_diverged": "واگرا",
    "fig_trained": "واگرایی دیده نشد",
    "fig_other": "ناآرام یا درجا",
}
