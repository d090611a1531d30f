"""What can be ordered, and at which tax."""

from django.contrib import admin
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin, TabularInline

from billing.admin.columns import money
from billing.models import Option, Plan, TaxRate


class OptionInline(TabularInline):
    model = Option
    extra = 0
    prepopulated_fields = {"slug": ("name_en",)}


@admin.register(Plan)
class PlanAdmin(ModelAdmin):
    list_display = ("slug", "name_fa", "name_en", "price", "is_on_sale")
    list_filter = ("is_on_sale",)
    search_fields = ("slug", "name_fa", "name_en")
    prepopulated_fields = {"slug": ("name_en",)}
    filter_horizontal = ("components",)
    inlines = (OptionInline,)
    price = money("monthly_price", gettext_lazy("monthly price"))


@admin.register(TaxRate)
class TaxRateAdmin(ModelAdmin):
    list_display = ("valid_from", "rate")
    ordering = ("-valid_from",)

    @admin.display(description=gettext_lazy("rate"))
    def rate(self, row: TaxRate) -> str:
        return str(row)
